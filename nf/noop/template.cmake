# Installed as CMakeLists.txt beside noop: the beginning of a function of your own.
cmake_minimum_required(VERSION 3.16)
project(noop LANGUAGES C CXX)

find_package(Sluice REQUIRED)
sluice_add_function(noop noop.c)
sluice_add_function(noop++ noop.cpp)
target_compile_features(noop++ PRIVATE cxx_std_17)
