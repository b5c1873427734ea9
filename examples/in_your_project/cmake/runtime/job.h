// A folder with the same name as one of Clotho's is not mistaken for it.

#ifndef SHOP_RUNTIME_JOB_H_
#define SHOP_RUNTIME_JOB_H_

namespace shop {

struct Job {
  int number = 0;
};

}  // namespace shop

#endif  // SHOP_RUNTIME_JOB_H_
