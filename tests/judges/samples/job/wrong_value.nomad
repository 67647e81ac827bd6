# expect: Invalid job type
job "wrong" {
  type = "bach"
  group "g" {
    task "t" {
      driver = "exec"
      config {
        command = "/bin/true"
      }
    }
  }
}
