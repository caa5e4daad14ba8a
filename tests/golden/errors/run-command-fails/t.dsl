task Check {
  step look { tool.run { cmd: ["sh", "-c", "echo the disk is full >&2; exit 28"] } }
}
