using System.CommandLine;
using Telemetry.Runtime.Commands;

namespace Telemetry.Cloud.Commands;

/// <summary>The verb <c>rules check</c>.</summary>
internal static class RulesVerb
{
    public static Command Create(TextWriter output, TextWriter errors)
    {
        var file = new Argument<string>("FILE") { Description = "The file of alert rules." };
        var check = new Command("check", "Lists the errors of a file of alert rules, or its rules.") { file };
        check.SetAction(result =>
            RulesCommand.Check(result.GetRequiredValue(file), output, errors) ? 0 : ProgramCommandLine.Misused);
        return new Command("rules", "Alert rules.") { check };
    }
}
