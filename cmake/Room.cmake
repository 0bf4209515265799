# One room of the house: src/NAME as the static library sockswap_NAME.
#
#   sockswap_room(NAME SOURCES a.cpp … [ROOMS other …] [LIBRARIES external …])
#
# A room sees the headers of the rooms that it names and of no others: its include path is a folder
# of links, one a room, so that an arrow that DESIGN.md doesn't draw doesn't compile.
function(sockswap_room name)
  cmake_parse_arguments(ARG "" "" "SOURCES;ROOMS;LIBRARIES" ${ARGN})
  set(door ${CMAKE_BINARY_DIR}/rooms/${name})
  file(MAKE_DIRECTORY ${door})
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/src/${name} ${door}/${name} SYMBOLIC)
  if(ARG_SOURCES)
    add_library(sockswap_${name} STATIC ${ARG_SOURCES})
    set(scope PUBLIC)
  else()
    add_library(sockswap_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  add_library(sockswap::${name} ALIAS sockswap_${name})
  target_include_directories(sockswap_${name} ${scope} ${door})
  foreach(room IN LISTS ARG_ROOMS)
    target_link_libraries(sockswap_${name} ${scope} sockswap::${room})
  endforeach()
  target_link_libraries(sockswap_${name} ${scope} ${ARG_LIBRARIES})
endfunction()
