#include "cli/completion_script.h"

#include <gtest/gtest.h>
#include <stdio.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace longshore {
namespace {

CommandWords program() {
  CommandWords list{{"jobs", "list"}, "Newest first", {}, {{"--json", "Print JSON", false}}, false};
  CommandWords jobs{{"jobs"}, "Exports on a server", {list}, {}, false};
  CommandWords verify{
      {"verify"},
      "Prove a file's content",
      {},
      {{"--trusted-key", "Key [base64]", true}, {"--style", "How it looks", true, {"plain", "pretty", "none"}}},
      true};
  return {{}, "Longshore", {jobs, verify}, {{"--help", "Help", false}}, false};
}

TEST(Completion, BashCompletesCommandsAndOptions) {
  std::string pattern = (std::filesystem::temp_directory_path() / "longshore-bash-XXXXXX").string();
  const std::filesystem::path directory = ::mkdtemp(pattern.data());
  const auto complete = [&](const std::string& words) {
    std::ofstream(directory / "run.bash")
        << bash_completion(program()) << "COMP_WORDS=(" << words
        << ")\nCOMP_CWORD=$((${#COMP_WORDS[@]}-1))\n_longshore\necho \"${COMPREPLY[*]}\"\n";
    FILE* pipe = ::popen(("bash " + (directory / "run.bash").string() + " 2>&1").c_str(), "r");
    std::string out;
    for (int c = 0; (c = ::fgetc(pipe)) != EOF;) out += static_cast<char>(c);
    EXPECT_EQ(::pclose(pipe), 0);
    return out;
  };
  EXPECT_EQ(complete("longshore ''"), "jobs verify --help\n");
  EXPECT_EQ(complete("longshore j"), "jobs\n");
  EXPECT_EQ(complete("longshore jobs ''"), "list\n");
  EXPECT_EQ(complete("longshore jobs list --"), "--json\n");
  EXPECT_EQ(complete("longshore verify --t"), "--trusted-key\n");
  EXPECT_EQ(complete("longshore verify --style ''"), "plain pretty none\n");
  EXPECT_EQ(complete("longshore verify --style p"), "plain pretty\n");
  std::filesystem::remove_all(directory);
}

TEST(Completion, ZshAndFishNameEverything) {
  const std::string zsh = zsh_completion(program());
  EXPECT_TRUE(zsh.starts_with("#compdef longshore\n"));
  EXPECT_NE(zsh.find("'verify:Prove a file'\\''s content'"), std::string::npos) << zsh;
  EXPECT_NE(zsh.find("'--trusted-key[Key (base64)]:value:_files'"), std::string::npos) << zsh;
  EXPECT_NE(zsh.find("jobs) _longshore_jobs ;;"), std::string::npos) << zsh;
  EXPECT_NE(zsh.find("'--style[How it looks]:value:(plain pretty none)'"), std::string::npos) << zsh;
  const std::string fish = fish_completion(program());
  EXPECT_NE(fish.find("complete -c longshore -n '__fish_use_subcommand' -a jobs -d 'Exports on a server'"),
            std::string::npos)
      << fish;
  EXPECT_NE(fish.find("-l style -x -a 'plain pretty none' -d 'How it looks'"), std::string::npos) << fish;
  EXPECT_NE(fish.find("-l trusted-key -rF -d 'Key [base64]'"), std::string::npos) << fish;
}

}  // namespace
}  // namespace longshore
