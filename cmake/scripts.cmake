# corbel_embed_scripts(<target> <folder>...): makes every <folder>/<name>.lua a C++ string in the header
# "scripts/<last folder>_<name>.hpp" as corbel::scripts::<last folder>_<name>. A line "--include <part>" in it stands for the
# text of <folder>/<part>.lua, where the part is one of start, clock, shared, lane, record, look, claims, endings.
function(corbel_embed_scripts target)
  set(out ${PROJECT_BINARY_DIR}/generated)
  foreach(folder ${ARGN})
    get_filename_component(prefix ${folder} NAME)
    file(GLOB scripts CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.lua)
    set(parts start clock shared lane record look claims endings)
    foreach(part ${parts})
      set(text_of_${part} "")
      if(EXISTS ${PROJECT_SOURCE_DIR}/${folder}/${part}.lua)
        file(READ ${PROJECT_SOURCE_DIR}/${folder}/${part}.lua text_of_${part})
      endif()
    endforeach()
    foreach(script ${scripts})
      set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${script})
      get_filename_component(name ${script} NAME_WE)
      if(name IN_LIST parts)
        continue()
      endif()
      file(READ ${script} text)
      foreach(part ${parts})
        string(REPLACE "--include ${part}\n" "${text_of_${part}}" text "${text}")
      endforeach()
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
