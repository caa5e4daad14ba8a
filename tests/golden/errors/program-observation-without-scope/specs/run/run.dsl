task Say { step one: tool.run { cmd: "date" } }
knowledge {
  fact small_tiles_win { description: "64 x 64 is best here." tflops: 65.5 }
  fact large_tiles_lose { description: "256 x 256 spills." ; scope { targt: cpu, samples: 0, date: yesterday }; evidence: ["the run of Monday"] }
}
