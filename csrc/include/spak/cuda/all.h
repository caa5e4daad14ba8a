// <spak/cuda/all.h>: every header of this folder. Knows nothing by itself.
#pragma once
#include <spak/cuda/block.h>
#include <spak/cuda/device.h>
#include <spak/cuda/half.h>
#include <spak/cuda/math.h>
#include <spak/cuda/vec.h>
#include <spak/cuda/warp.h>
