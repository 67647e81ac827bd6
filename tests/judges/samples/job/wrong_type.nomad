# expect: privileged
job "wrong" {
  group "g" {
    task "t" {
      driver = "docker"
      config {
        image      = "a"
        privileged = "maybe"
      }
    }
  }
}
