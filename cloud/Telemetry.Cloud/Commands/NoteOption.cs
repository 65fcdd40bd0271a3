using System.CommandLine;

namespace Telemetry.Cloud.Commands;

/// <summary>The option <c>--note</c>: the operator's words, which stay in the audit.</summary>
internal static class NoteOption
{
    public static Option<string> Create()
    {
        var note = new Option<string>("--note")
        {
            HelpName = "TEXT",
            Description = "Why, for the audit.",
            Required = true,
        };
        note.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && string.IsNullOrWhiteSpace(result.Tokens[0].Value))
            {
                result.AddError("--note: is empty; it stays in the audit");
            }
        });
        return note;
    }
}
