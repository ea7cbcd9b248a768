#pragma once

#include "core/host_device.h"
