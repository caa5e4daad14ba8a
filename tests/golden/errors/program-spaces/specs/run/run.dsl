task Walk { step one: tool.run { cmd: "date" } }
design_space { staging: [none, none] layout: { order: [] } staging: [shared] }
tuning_space {
  BM: [32, 64]
  BM: [128]
  BN: range [0, 8]
  constraint: BM * BJ <= 4096
  constraint: "BM + 1"
  constraint: BM == "64"
  BM <= 64
}
