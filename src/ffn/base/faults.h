// Planted faults: deliberate errors that prove the tests can fail. Only a build with
// -DFFN_FAULTS=ON holds them; there the environment variable FFN_FAULT, read once, chooses one by
// its id. In every other build fault(id) is the constant false and leaves no code behind.
//
//   const std::uint32_t weyl = fault(1) ? 0x9E3779B8u : 0x9E3779B9u;
#pragma once

#include <span>
#include <string_view>

namespace ffn::inline v0 {

struct Fault {
  int id;                 // unique, ≥ 1
  std::string_view name;  // what is wrong, in a few words
  std::string_view
      caught_by;  // regular expression over CTest names: at least one of them must fail
};

#if defined(FFN_FAULTS)
// True when FFN_FAULT equals `id`; an unset, malformed or unregistered FFN_FAULT activates nothing,
// so that a mistyped id shows up as "not caught".
bool fault(int id);
// Every planted fault, ids ascending. The list is in faults.cpp; a new fault is one line there.
std::span<const Fault> list_faults();
#else
// consteval: no symbol is emitted, so the objects of one ISA export nothing through it.
consteval bool fault(int) { return false; }
#endif

}  // namespace ffn::inline v0
