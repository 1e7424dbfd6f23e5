# corbel_embed_scripts(<target> <folder>...): makes every <folder>/<name>.lua a C++ string in the header
# "scripts/<last folder>_<name>.hpp" as corbel::scripts::<last folder>_<name>. A line "--include <part>" in it stands for the
# text of <folder>/<part>.lua or common/<part>.lua beside the folder, where the part is one of those listed here.
function(corbel_embed_scripts target)
  set(out ${PROJECT_BINARY_DIR}/generated)
  set(watched "")
  foreach(folder ${ARGN})
    get_filename_component(prefix ${folder} NAME)
    get_filename_component(parent ${folder} DIRECTORY)
    file(GLOB scripts CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.lua)
    set(parts start clock shared lane record look claims endings turn)
    foreach(part ${parts})
      set(text_of_${part} "")
      foreach(file ${PROJECT_SOURCE_DIR}/${folder}/${part}.lua ${PROJECT_SOURCE_DIR}/${parent}/common/${part}.lua)
        if(EXISTS ${file})
          file(READ ${file} text_of_${part})
          list(APPEND watched ${file})
        endif()
      endforeach()
    endforeach()
    foreach(script ${scripts})
      list(APPEND watched ${script})
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
  list(REMOVE_DUPLICATES watched)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${watched})
  target_include_directories(${target} PRIVATE ${out})
endfunction()
