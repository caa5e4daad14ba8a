// Everything a generated launcher may use.
#pragma once
#include "spak/runtime/cuda.h"
#include "spak/runtime/descriptor.h"
#include "spak/runtime/device.h"
#include "spak/runtime/expr.h"
#include "spak/runtime/init.h"
#include "spak/runtime/workspace.h"
