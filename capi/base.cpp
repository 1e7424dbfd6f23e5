#include <corbel/c/base.h>
