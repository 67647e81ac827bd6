# expect: No argument or block type is named "mout"
job "wrong" {
  group "g" {
    task "t" {
      driver = "docker"
      config {
        image = "a"
        mout {
          type = "bind"
        }
      }
    }
  }
}
