#ifndef STAVE_TOOLS_STAVE_COMMANDS_H_
#define STAVE_TOOLS_STAVE_COMMANDS_H_

#include "tools/stave/command_line.h"

namespace stave::tool {

// Each adds one command, from the file command_<its name>.cc.
void AddBackupCommand(CommandLine* command_line);
void AddBenchCommand(CommandLine* command_line);
void AddCompletionCommand(CommandLine* command_line);
void AddCountCommand(CommandLine* command_line);
void AddDeleteCommand(CommandLine* command_line);
void AddDumpCommand(CommandLine* command_line);
void AddExistsCommand(CommandLine* command_line);
void AddFsckCommand(CommandLine* command_line);
void AddGetCommand(CommandLine* command_line);
void AddHelpCommand(CommandLine* command_line);
void AddKeysCommand(CommandLine* command_line);
void AddLoadCommand(CommandLine* command_line);
void AddMergeCommand(CommandLine* command_line);
void AddPutCommand(CommandLine* command_line);
void AddRestoreCommand(CommandLine* command_line);
void AddScanCommand(CommandLine* command_line);
void AddShellCommand(CommandLine* command_line);
void AddSnapshotCommand(CommandLine* command_line);
void AddStatCommand(CommandLine* command_line);
void AddTopCommand(CommandLine* command_line);

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_COMMANDS_H_
