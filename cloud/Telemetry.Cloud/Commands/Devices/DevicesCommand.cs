using System.Globalization;
using Npgsql;
using Telemetry.Cloud.Configuration;
using Telemetry.Runtime.Commands;
using Telemetry.Runtime.Settings;
using Telemetry.Storage;
using Telemetry.Storage.Postgres.Devices;
using Telemetry.Storage.Postgres.Migrations;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Cloud.Commands.Devices;

/// <summary>
/// The command <c>devices</c>: imports what people say of devices, lists them, and writes that one moved, beside a
/// cloud at work. The exit code is 0 when all went well, 1 when a row was refused or the database failed, 2 when the
/// file cannot be read.
/// </summary>
internal sealed class DevicesCommand(CloudSettings settings, TextWriter output, TextWriter errors)
{
    private const int GoneWrong = 1;

    public async Task<int> RunAsync(DeviceArguments arguments, CancellationToken cancellationToken)
    {
        if (settings.Database is null)
        {
            await errors.WriteLineAsync("database.connection: is missing");
            return GoneWrong;
        }

        try
        {
            await using var database = NpgsqlDataSource.Create(settings.Database.ConnectionString);
            await using (var connection = await database.OpenConnectionAsync(cancellationToken))
            {
                await MigrationRunner.CheckAsync(connection, migrate: false, cancellationToken);
            }

            return arguments switch
            {
                { File: { } file } => await ImportAsync(
                    new DeviceTable(database), file, arguments.OnlyCheck, cancellationToken),
                { Move: { } move } => await MoveAsync(database, move, cancellationToken),
                _ => await ListAsync(new DeviceTable(database), arguments, cancellationToken),
            };
        }
        catch (Exception e) when (e is StoreException || StoreErrors.IsDatabases(e))
        {
            await errors.WriteLineAsync($"the database failed, nothing was changed: {e.Message}");
            return GoneWrong;
        }
    }

    private async Task<int> ImportAsync(
        DeviceTable table, string name, bool onlyCheck, CancellationToken cancellationToken)
    {
        if (await ReadFileAsync(name, cancellationToken) is not { } bytes)
        {
            return ProgramCommandLine.Misused;
        }

        var file = DeviceFile.Read(bytes, await table.TimeZonesAsync(cancellationToken));
        foreach (var problem in file.Problems)
        {
            await errors.WriteLineAsync($"{name}: {problem}");
        }

        var outcome = await table.PutAsync(file.Devices, onlyCheck, cancellationToken);
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"{name}: {file.Rows} rows, {file.Rows - file.Devices.Count} refused; of {file.Devices.Count} devices "
            + $"{outcome.Added} {(onlyCheck ? "would be new" : "are new")}, {outcome.Changed} changed, "
            + $"{outcome.Unchanged} as they were"));
        return file.Problems.Count == 0 ? 0 : GoneWrong;
    }

    private async Task<byte[]?> ReadFileAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            if (new FileInfo(name).Length <= DeviceFile.BytesMax)
            {
                return await File.ReadAllBytesAsync(name, cancellationToken);
            }

            await errors.WriteLineAsync(
                $"{name}: has more than {SettingUnits.Show(DeviceFile.BytesMax)}; divide it");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await errors.WriteLineAsync($"{name}: cannot be read: {e.Message}");
        }

        return null;
    }

    private async Task<int> MoveAsync(
        NpgsqlDataSource database, DeviceMove move, CancellationToken cancellationToken)
    {
        var remarks = new List<string>();
        if (await move.RunAsync(database, Environment.UserName, remarks, cancellationToken) is { } problem)
        {
            await errors.WriteLineAsync($"nothing was changed: {problem}");
            return GoneWrong;
        }

        await output.WriteLineAsync($"{move.Device}: of gateway {move.From} before {move.At:u}, of {move.To} from then on");
        foreach (var remark in remarks)
        {
            await output.WriteLineAsync($"note: {remark}");
        }

        return 0;
    }

    private async Task<int> ListAsync(
        DeviceTable table, DeviceArguments arguments, CancellationToken cancellationToken)
    {
        foreach (var device in await table.ListAsync(arguments.Gateway, arguments.Site, cancellationToken))
        {
            await output.WriteLineAsync(
                $"{device.Gateway,-16}  {device.Device,-20}  {device.Site,-16}  {device.Location,-16}  "
                + $"{device.TimeZone,-16}  {device.Labels}{(device.Heard ? "" : "  no series yet")}");
        }

        return 0;
    }
}
