using Telemetry.Cloud.Configuration;
using Telemetry.Processing.Windows;
using Telemetry.Runtime.Commands;
using Telemetry.Storage.Postgres;
using Telemetry.Storage.Windows;

namespace Telemetry.Cloud.Commands.Windows;

/// <summary>
/// The command <c>windows</c>: checks a windows file, alone or against the database, and lists the widths that the
/// database has. It changes nothing. The exit code is 0 when all is well, 2 for a wrong file, and 1 when the file does
/// not agree with the database or the database failed.
/// </summary>
internal sealed class WindowsCommand(TextWriter output, TextWriter errors)
{
    /// <summary>Checks a file without a database.</summary>
    public int Check(string path)
    {
        if (Read(path) is not { } file)
        {
            return ProgramCommandLine.Misused;
        }

        output.WriteLine($"{path}: ok, {file.Entries.Count} entries");
        WidthReport.WriteEntries(output, file.Entries);
        return 0;
    }

    /// <summary>Does what needs the database.</summary>
    public async Task<int> RunAsync(
        WindowArguments arguments, CloudSettings settings, CancellationToken cancellationToken)
    {
        if (arguments.List)
        {
            return await OperatorCommand.RunAsync(
                settings, errors, "nothing was listed", database => ListAsync(database, cancellationToken),
                cancellationToken);
        }

        if (arguments.File is null && settings.Widths is null)
        {
            await errors.WriteLineAsync("processor.windows.file: is missing; name a file: windows check FILE");
            return ProgramCommandLine.Misused;
        }

        return (arguments.File is null ? settings.Widths : Read(arguments.File)) is { } file
            ? await OperatorCommand.RunAsync(
                settings, errors, "nothing was compared", database => CompareAsync(database, file, cancellationToken),
                cancellationToken)
            : ProgramCommandLine.Misused;
    }

    private async Task<int> ListAsync(OperatorDatabase database, CancellationToken cancellationToken)
    {
        WidthReport.WriteList(output, await database.Widths.ListAsync(cancellationToken));
        return 0;
    }

    private async Task<int> CompareAsync(
        OperatorDatabase database, ConfiguredWidths file, CancellationToken cancellationToken)
    {
        try
        {
            var added = await database.Widths.CompareAsync(file, cancellationToken);
            await output.WriteLineAsync(
                $"{file.File}: ok, {file.Entries.Count} entries; the database has {file.Entries.Count - added} of "
                + $"them, {added} are new");
        }
        catch (WindowWidthException e)
        {
            Say(e.Problems);
            return OperatorCommand.GoneWrong;
        }

        WidthReport.WriteEntries(output, file.Entries, await database.Widths.RatesAsync(cancellationToken));
        return 0;
    }

    // Null when there are problems, which it says.
    private ConfiguredWidths? Read(string path)
    {
        var file = WindowWidthsFile.Read(path, out var problems);
        Say(problems);
        return file;
    }

    private void Say(IReadOnlyList<string> problems)
    {
        foreach (var problem in problems)
        {
            errors.WriteLine(problem);
        }
    }
}
