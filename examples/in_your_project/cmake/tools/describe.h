#ifndef SHOP_TOOLS_DESCRIBE_H_
#define SHOP_TOOLS_DESCRIBE_H_

#include <string>

#include "runtime/job.h"

namespace shop {

inline std::string Describe(const Job& job) {
  return "job " + std::to_string(job.number);
}

}  // namespace shop

#endif  // SHOP_TOOLS_DESCRIBE_H_
