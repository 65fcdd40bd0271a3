using Telemetry.Processing.Alerts.Rules;

namespace Telemetry.Cloud.Commands;

/// <summary>The command <c>rules check</c>: lists the errors of a rules file, or its rules.</summary>
internal static class RulesCommand
{
    /// <summary>True when the file is good.</summary>
    public static bool Check(string file, TextWriter output, TextWriter errors)
    {
        if (AlertRulesFile.Read(file, out var problems) is not { } rules)
        {
            foreach (var problem in problems)
            {
                errors.WriteLine(problem);
            }

            return false;
        }

        output.WriteLine($"{file}: ok, {rules.All.Count} rules");
        foreach (var rule in rules.All)
        {
            output.WriteLine($"{rule.Name}: version {rule.Version:x16}");
        }

        return true;
    }
}
