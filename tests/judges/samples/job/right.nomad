job "right" {
  datacenters = ["dc1"]

  group "web" {
    count = 2

    network {
      mode = "bridge"
      port "http" {
        to = 8080
      }
      port "metrics-api" {}
    }

    service {
      name     = "web"
      port     = "http"
      provider = "consul"
      tags     = ["traefik.enable=true", "traefik.http.routers.web.rule=PathPrefix(`/api`)"]

      check {
        type     = "http"
        path     = "/health"
        interval = "30s"
        timeout  = "2s"
      }
    }

    task "wait" {
      driver = "exec"
      lifecycle {
        hook = "prestart"
      }
      config {
        command = "/bin/sh"
        args    = ["-c", "until nc -z auth 80; do sleep 1; done; echo $HOME $(date)"]
      }
    }

    task "web" {
      driver = "docker"
      config {
        image = "web:${NOMAD_META_VERSION}"
        args  = ["--port", "${NOMAD_PORT_http}", "--metrics", "${NOMAD_ADDR_metrics_api}", "--as", "${GREETING}-${node.unique.name}"]
        ports = ["http", "metrics-api"]
        mount {
          type   = "bind"
          source = "local"
          target = "/etc/web"
        }
        logging {
          type = "json-file"
          config {
            max-size = "10m"
          }
        }
      }
      env {
        GREETING = "hello <b>&</b>"
      }
      meta {
        VERSION = "1.2"
      }
      template {
        data        = <<-EOT
          {{ range service "auth" }}AUTH={{ .Address }}:{{ .Port }}{{ end }}
        EOT
        destination = "local/auth.env"
        env         = true
      }
      resources {
        cpu    = 250
        memory = 256
      }
    }

    task "tail" {
      driver = "raw_exec"
      config {
        command = "/usr/bin/tail"
        args    = ["-f", "${NOMAD_ALLOC_DIR}/logs/web.stdout.0"]
      }
    }

    task "jar" {
      driver = "java"
      config {
        jar_path    = "local/app.jar"
        jvm_options = ["-Xmx128m"]
      }
    }

    task "machine" {
      driver = "qemu"
      config {
        image_path  = "local/linux.img"
        accelerator = "kvm"
      }
    }
  }
}
