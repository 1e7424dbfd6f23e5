#pragma once
/// The fleet on one page: services and their parts, queue depth and pool use over the last minutes. Plain HTML and SVG,
/// nothing from outside. Pure; any thread.

#include "operations/system_body.hpp"

#include <string>

namespace corbel {

std::string system_page(const system_view &view, const gateway_settings &settings, const system_history &history);

/// A picture of one or two rows of numbers over the last minutes.
std::string svg_chart(const system_history &history, double now, const char *title, double system_sample::*first,
                      const char *first_name, double system_sample::*second, const char *second_name);

/// Text as HTML shows it.
std::string html_text(std::string_view text);

}  // namespace corbel
