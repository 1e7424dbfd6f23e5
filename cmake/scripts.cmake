# corbel_embed_scripts(<target> <folder>...): makes every <folder>/<name>.lua a C++ string in the header
# "scripts/<last folder>_<name>.hpp" as corbel::scripts::<last folder>_<name>. A line "--include shared" in it stands for the
# text of <folder>/shared.lua.
function(corbel_embed_scripts target)
  set(out ${PROJECT_BINARY_DIR}/generated)
  foreach(folder ${ARGN})
    get_filename_component(prefix ${folder} NAME)
    file(GLOB scripts CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.lua)
    set(shared "")
    if(EXISTS ${PROJECT_SOURCE_DIR}/${folder}/shared.lua)
      file(READ ${PROJECT_SOURCE_DIR}/${folder}/shared.lua shared)
    endif()
    foreach(script ${scripts})
      set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${script})
      get_filename_component(name ${script} NAME_WE)
      if(name STREQUAL shared)
        continue()
      endif()
      file(READ ${script} text)
      string(REPLACE "--include shared\n" "${shared}" text "${text}")
      file(CONFIGURE OUTPUT ${out}/scripts/${prefix}_${name}.hpp @ONLY CONTENT
"#pragma once
namespace corbel::scripts {
inline constexpr char @prefix@_@name@[] = R\"lua(@text@)lua\";
}
")
    endforeach()
  endforeach()
  target_include_directories(${target} PRIVATE ${out})
endfunction()
