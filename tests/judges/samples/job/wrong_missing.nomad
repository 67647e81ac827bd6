# expect: The argument "command" is required
job "wrong" {
  group "g" {
    task "t" {
      driver = "raw_exec"
      config {
        args = ["a"]
      }
    }
  }
}
