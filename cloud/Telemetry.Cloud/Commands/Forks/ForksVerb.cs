using System.CommandLine;

namespace Telemetry.Cloud.Commands.Forks;

/// <summary>The verbs <c>forks list</c> and <c>forks resolve</c>.</summary>
internal static class ForksVerb
{
    // What a fork can have been, as docs/runbooks/forks.md explains.
    private static readonly string[] Reasons =
        ["card-replaced", "image-restored", "cloned", "gateway-renamed", "other"];

    public static Command Create(VerbAction<ForkArguments> run) =>
        new("forks", "Gateways of which two lives were seen.") { List(run), Resolve(run) };

    private static Command List(VerbAction<ForkArguments> run)
    {
        var command = new Command("list", "Lists the forks that are shown.");
        command.SetAction((result, cancellationToken) => run(new ForkArguments(), result, cancellationToken));
        return command;
    }

    private static Command Resolve(VerbAction<ForkArguments> run)
    {
        var gateway = new Argument<string>("GATEWAY") { Description = "Whose forks these are." };
        var reason = new Option<string>("--reason")
        {
            HelpName = "R",
            Description = $"{string.Join(", ", Reasons[..^1])} or {Reasons[^1]}; see docs/runbooks/forks.md.",
            Required = true,
        };
        reason.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && !Reasons.Contains(result.Tokens[0].Value))
            {
                result.AddError(
                    $"--reason: '{result.Tokens[0].Value}' is not allowed; use {string.Join(", ", Reasons[..^1])} or "
                    + Reasons[^1]);
            }
        });
        var note = NoteOption.Create();
        var command = new Command("resolve", "Says what the forks of a gateway were, and shows them no longer.")
        {
            gateway, reason, note,
        };
        command.SetAction((result, cancellationToken) => run(
            new ForkArguments
            {
                Gateway = result.GetRequiredValue(gateway),
                Reason = result.GetRequiredValue(reason),
                Note = result.GetRequiredValue(note),
            },
            result, cancellationToken));
        return command;
    }
}
