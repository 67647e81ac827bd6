# expect: wrong_field.nomad:5,5-
job "wrong" {
  type = "batch"
  group "g" {
    cuont = 2
    task "t" {
      driver = "exec"
      config {
        command = "/bin/true"
      }
    }
  }
}
