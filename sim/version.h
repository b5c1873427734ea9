// The version of Clotho, as in the file VERSION.

#ifndef CLOTHO_SIM_VERSION_H_
#define CLOTHO_SIM_VERSION_H_

#define CLOTHO_VERSION "0.2.0"

#endif  // CLOTHO_SIM_VERSION_H_
