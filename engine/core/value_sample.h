#ifndef STAVE_ENGINE_CORE_VALUE_SAMPLE_H_
#define STAVE_ENGINE_CORE_VALUE_SAMPLE_H_

#include "engine/core/instant.h"
#include "stave/statistics.h"

namespace stave {

// Store::SampleValues, by the headers of records alone: which are damaged, and
// those behind them in their segments, are left out.
ValueSample SampleValues(const Instant& instant);

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_VALUE_SAMPLE_H_
