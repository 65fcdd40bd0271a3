using Npgsql;
using Telemetry.Cloud.Configuration;
using Telemetry.Processing.Windows;
using Telemetry.Runtime.Commands;
using Telemetry.Storage;
using Telemetry.Storage.Postgres.Migrations;
using Telemetry.Storage.Postgres.Statements;
using Telemetry.Storage.Postgres.Windows;
using Telemetry.Storage.Windows;

namespace Telemetry.Cloud.Commands.Windows;

/// <summary>
/// The command <c>windows</c>: checks a windows file, alone or against the database, and lists the widths that the
/// database has. It changes nothing. The exit code is 0 when all is well, 2 for a wrong file, and 1 when the file does
/// not agree with the database or the database failed.
/// </summary>
internal sealed class WindowsCommand(TextWriter output, TextWriter errors)
{
    private const int GoneWrong = 1;

    /// <summary>Reads a file and says what is wrong with it; null when something is.</summary>
    public ConfiguredWidths? Read(string path)
    {
        var file = WindowWidthsFile.Read(path, out var problems);
        Say(problems);
        return file;
    }

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
        if (settings.Database is null)
        {
            await errors.WriteLineAsync("database.connection: is missing");
            return GoneWrong;
        }

        var file = arguments.File is null ? settings.Widths : Read(arguments.File);
        if (file is null && !arguments.List)
        {
            if (arguments.File is null)
            {
                await errors.WriteLineAsync("processor.windows.file: is missing; name a file: windows check FILE");
            }

            return ProgramCommandLine.Misused;
        }

        try
        {
            await using var database = NpgsqlDataSource.Create(settings.Database.ConnectionString);
            await using var connection = await database.OpenConnectionAsync(cancellationToken);
            await MigrationRunner.CheckAsync(connection, migrate: false, cancellationToken);
            if (arguments.List)
            {
                WidthReport.WriteList(output, await WidthTable.ListAsync(connection, cancellationToken));
                return 0;
            }

            return await CompareAsync(connection, file!, cancellationToken);
        }
        catch (WindowWidthException e)
        {
            Say(e.Problems);
        }
        catch (Exception e) when (e is StoreException || StoreErrors.IsDatabases(e))
        {
            await errors.WriteLineAsync($"the database failed: {e.Message}");
        }

        return GoneWrong;
    }

    private async Task<int> CompareAsync(
        NpgsqlConnection connection, ConfiguredWidths file, CancellationToken cancellationToken)
    {
        var added = await WidthTable.CompareAsync(connection, file, cancellationToken);
        await output.WriteLineAsync(
            $"{file.File}: ok, {file.Entries.Count} entries; the database has {file.Entries.Count - added} of them, "
            + $"{added} are new");
        WidthReport.WriteEntries(
            output, file.Entries, await ReadingRates.ReadAsync(connection, cancellationToken));
        return 0;
    }

    private void Say(IReadOnlyList<string> problems)
    {
        foreach (var problem in problems)
        {
            errors.WriteLine(problem);
        }
    }
}
