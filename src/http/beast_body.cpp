// The bodies of Beast's functions, compiled once for the library (BOOST_BEAST_SEPARATE_COMPILATION).
#include <boost/beast/src.hpp>
