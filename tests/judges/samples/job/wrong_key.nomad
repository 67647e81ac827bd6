# expect: No argument or block type is named "comand"
job "wrong" {
  group "g" {
    task "t" {
      driver = "exec"
      config {
        command = "/bin/true"
        comand  = "/bin/true"
      }
    }
  }
}
