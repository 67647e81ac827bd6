# expect: driver "doker" is none
job "wrong" {
  group "g" {
    task "t" {
      driver = "doker"
      config {
        image = "a"
      }
    }
  }
}
