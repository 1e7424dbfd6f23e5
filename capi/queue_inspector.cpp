#include "capi/event_operation.hpp"
#include "capi/queue_options.hpp"

#include <corbel/queue_inspector.hpp>
