// The rows of the table.
#pragma once

#include <string>
#include <vector>

#include "transfer.h"

namespace sockswap::thesis {

struct Row {
  std::string name;   // on the command line and in JSON
  std::string title;  // in the table
  Kernel kernel = Kernel::shared;
  Course course = {};
  bool resumes = false;  // what users do today, instead of a course

  // The row that is compared with: plain TCP of the same kind.
  std::string plain() const;
};

const std::vector<Row>& rows();
// Whether it can be measured with these programs.
bool can_measure(const Row& row, const Programs& programs);

Result<Measured> measure(const Row& row, Stage& stage, const Payload& payload);

// One of the four columns of 2002: 400 MB over 100 Mbit/s. (Mosix, UML 2.4, a 2.4 kernel.)
struct OldFigure {
  std::string title;
  double seconds, megabits_per_second;
  std::string row;  // which one it is to be seen beside
};
const std::vector<OldFigure>& old_figures();

}  // namespace sockswap::thesis
