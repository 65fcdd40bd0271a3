using System.Globalization;
using Telemetry.Cloud.Configuration;
using Telemetry.Runtime.Commands;
using Telemetry.Runtime.Settings;
using Telemetry.Storage.Postgres.Devices;

namespace Telemetry.Cloud.Commands.Devices;

/// <summary>
/// The command <c>devices</c>: imports what people say of devices, lists them, and writes that one moved, beside a
/// cloud at work. The exit code is 0 when all went well, 1 when a row was refused or the database failed, 2 when the
/// file cannot be read.
/// </summary>
internal sealed class DevicesCommand(CloudSettings settings, TextWriter output, TextWriter errors)
{
    public Task<int> RunAsync(DeviceArguments arguments, CancellationToken cancellationToken) =>
        OperatorCommand.RunAsync(
            settings, errors, "nothing was changed",
            database => arguments switch
            {
                { File: { } file } => ImportAsync(database.Devices, file, arguments.OnlyCheck, cancellationToken),
                { Move: { } move } => MoveAsync(database.Devices, move, cancellationToken),
                _ => ListAsync(database.Devices, arguments, cancellationToken),
            },
            cancellationToken);

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
        return file.Problems.Count == 0 ? 0 : OperatorCommand.GoneWrong;
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
        DeviceTable table, DeviceMove move, CancellationToken cancellationToken)
    {
        var remarks = new List<string>();
        if (await table.MoveAsync(move, Environment.UserName, remarks, cancellationToken) is { } problem)
        {
            await errors.WriteLineAsync($"nothing was changed: {problem}");
            return OperatorCommand.GoneWrong;
        }

        await output.WriteLineAsync(
            $"{move.Device}: of gateway {move.From} before {move.At:u}, of {move.To} from then on");
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
