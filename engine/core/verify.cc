#include "stave/verify.h"

#include <memory>
#include <utility>

#include "engine/base/parallel.h"
#include "engine/base/status_macros.h"
#include "engine/core/store_survey.h"
#include "engine/fs/file_system.h"
#include "engine/fs/posix_file_system.h"

namespace stave {

absl::StatusOr<VerifyReport> Verify(std::string_view directory,
                                    const VerifyOptions& options) {
  if (directory.empty()) {
    return absl::InvalidArgumentError("the store's directory has no name");
  }
  FileSystem* const file_system =
      options.file_system != nullptr ? options.file_system : PosixFileSystem();
  ASSIGN_OR_RETURN(const std::unique_ptr<Directory> opened,
                   file_system->OpenDirectory(directory));
  SurveyOptions survey_options;
  survey_options.threads = ThreadCount(options.threads);
  survey_options.progress = options.progress;
  ASSIGN_OR_RETURN(StoreSurvey survey,
                   SurveyStore(opened.get(), survey_options));
  VerifyReport report;
  report.clean = survey.damage.empty();
  report.records = survey.records;
  report.damage = std::move(survey.damage);
  for (const Damage& damage : report.damage) report.lost += damage.records;
  report.bytes = survey.bytes;
  report.torn_tail_bytes = survey.torn_tail_bytes;
  return report;
}

}  // namespace stave
