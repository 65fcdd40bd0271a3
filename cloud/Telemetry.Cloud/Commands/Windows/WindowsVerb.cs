using System.CommandLine;

namespace Telemetry.Cloud.Commands.Windows;

/// <summary>The verbs <c>windows check</c> and <c>windows list</c>.</summary>
internal static class WindowsVerb
{
    public static Command Create(VerbAction<WindowArguments> run) =>
        new("windows", "Widths of windows.") { Check(run), List(run) };

    private static Command Check(VerbAction<WindowArguments> run)
    {
        var file = new Argument<string?>("FILE")
        {
            Description = "The windows file; the one of the configuration, with --connect, unless given.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        file.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: ['-', ..] word }])
            {
                result.AddError($"'{word}' is not an option of this command");
            }
        });
        var connect = new Option<bool>("--connect")
        {
            Description = "Also compares the file with the database of the configuration, and shows how many readings "
                + "the windows of each entry hold.",
        };
        var command = new Command("check", "Says what is wrong with a windows file; changes nothing.")
        {
            file, connect,
        };
        command.SetAction((result, cancellationToken) => run(
            new WindowArguments
            {
                File = result.GetValue(file),
                Connect = result.GetValue(connect) || result.GetValue(file) is null,
            },
            result, cancellationToken));
        return command;
    }

    private static Command List(VerbAction<WindowArguments> run)
    {
        var command = new Command("list", "Lists the widths that the database has.");
        command.SetAction((result, cancellationToken) =>
            run(new WindowArguments { List = true }, result, cancellationToken));
        return command;
    }
}
