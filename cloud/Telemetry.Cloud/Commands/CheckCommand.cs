using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Telemetry.Alerting.Alertmanager;
using Telemetry.Alerting.Kafka;
using Telemetry.Alerting.Relay;
using Telemetry.Cloud.Configuration;
using Telemetry.Cloud.Health;
using Telemetry.Cloud.Hosting;
using Telemetry.Model.Installations;
using Telemetry.Model.Protocol;
using Telemetry.Runtime.Settings;
using Telemetry.Storage;
using Telemetry.Storage.Postgres;
using Telemetry.Storage.Postgres.Access;
using Telemetry.Storage.Postgres.Statements;
using Telemetry.Storage.Windows;
using Telemetry.Streams;
using Telemetry.Streams.JetStream;

namespace Telemetry.Cloud.Commands;

/// <summary>
/// The command <c>check</c>: says of everything that the settings name whether it is there, in one line each, and
/// changes nothing. True when all is well.
/// </summary>
internal sealed class CheckCommand(CloudSettings settings, TimeProvider time, TextWriter output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private StreamInstallation? _log;
    private DatabaseInspection? _database;

    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        output.WriteLine("configuration: ok");
        if (settings.Processor.Alerts.Rules.All is { Count: > 0 } rules)
        {
            output.WriteLine($"alerts: ok, {rules.Count} rules");
        }

        if (settings.Retention.All is { Count: > 0 } retention)
        {
            output.WriteLine($"retention: ok, {retention.Count} entries");
        }

        if (settings.Webhooks.Webhooks is { Count: > 0 } webhooks)
        {
            output.WriteLine($"webhooks: ok, {webhooks.Count} entries; nothing is sent to them by this command");
        }

        if (settings.Traces.EndpointShown is { Length: > 0 } collector)
        {
            output.WriteLine($"traces: to {collector}, of a share of {settings.Traces.Ratio} of the frames");
        }

        var files = !settings.Roles.HasFlag(CloudRoles.Ingress) || await SayAsync(
            "gateways", () => Task.FromResult(IngressRole.DescribeFiles(settings, time)));
        var nats = settings.Roles == CloudRoles.Relay
            || await SayAsync("nats", () => CheckNatsAsync(cancellationToken));
        var database = settings.Database is null
            || await SayAsync("database", () => CheckDatabaseAsync(cancellationToken));
        var widths = !(database && settings.Roles.HasFlag(CloudRoles.Processor)) || settings.Widths is not { } file
            || await SayAsync("windows", () => CheckWidthsAsync(file, cancellationToken));
        var kafka = settings.Kafka is null || await SayAsync("kafka", CheckKafkaAsync);
        var people = settings.Alertmanager is null || !settings.Roles.HasFlag(CloudRoles.Relay)
            || await SayAsync("alertmanager", () => CheckAlertmanagerAsync(cancellationToken));
        var partitions = !(files && nats && database && kafka) || settings.Roles == CloudRoles.Relay
            || await SayAsync("partitions", CompareAsync);
        var http = await SayAsync(
            "http", () => CheckListeningAsync("http", settings.HttpEndPoint, cancellationToken));
        var mqtt = !settings.Roles.HasFlag(CloudRoles.Ingress)
            || await SayAsync(
                "mqtt", () => CheckListeningAsync("ingress", settings.MqttEndPoint, cancellationToken));
        var dashboard = !settings.Roles.HasFlag(CloudRoles.Dashboard)
            || await SayAsync("dashboard", () => CheckDashboardAsync(cancellationToken));
        return files && nats && database && widths && kafka && people && partitions && http && mqtt && dashboard;
    }

    private async Task<bool> SayAsync(string what, Func<Task<string>> check)
    {
        try
        {
            output.WriteLine($"{what}: {await check()}");
            return true;
        }
        catch (Exception e)
            when (e is FrameLogException or StoreException or SocketException or TimeoutException
                or OperationCanceledException or FormatException or IOException or UnauthorizedAccessException
                or CryptographicException or AlertSinkException or InstallationException
                or StartException or WindowWidthException or AlertmanagerException || StoreErrors.IsDatabases(e))
        {
            var why = e is OperationCanceledException ? $"no answer within {SettingUnits.Show(Patience)}" : e.Message;
            output.WriteLine($"{what}: FAILED, {why}");
            return false;
        }
    }

    /// <summary>What <c>run</c> compares at its start, in the same words.</summary>
    private Task<string> CompareAsync()
    {
        var partitions = settings.Ingress.Partitions;
        // An ingress does not look into a database, whatever its configuration names.
        var database = settings.Roles.HasFlag(CloudRoles.Processor) ? _database?.Installation : null;
        if ((database ?? _log?.Facts) is not { } facts)
        {
            return Task.FromResult($"ok, {partitions} at the first start of a processor");
        }

        InstallationStart.Compare(facts, _log?.Facts);
        InstallationStart.CompareSetting(
            partitions, facts, database is null ? InstallationException.InLog : InstallationException.InDatabase);
        return Task.FromResult(_log?.Closed is { } closed ? $"ok, {facts}; {closed}" : $"ok, {facts}");
    }

    private async Task<string> CheckListeningAsync(
        string section, IPEndPoint endPoint, CancellationToken cancellationToken)
    {
        try
        {
            ListenFault.Try(section, endPoint);
            return $"ok, {endPoint} can be listened on";
        }
        catch (StartException e) when (e.InnerException is SocketException
        {
            SocketErrorCode: SocketError.AddressAlreadyInUse,
        })
        {
            if (!await RunningProcess.AnswersAsync(settings, cancellationToken))
            {
                throw;
            }

            return $"ok, {endPoint} is in use by the Telemetry.Cloud that runs with these addresses";
        }
    }

    private async Task<string> CheckDashboardAsync(CancellationToken cancellationToken)
    {
        var endPoint = settings.Dashboard!.EndPoint;
        // Where the database does not answer, its own line says so.
        if (_database is { } database && !IPAddress.IsLoopback(endPoint.Address))
        {
            DashboardService.RefuseWithoutUsers(endPoint.Address, await CountUsersAsync(database, cancellationToken));
        }

        return await CheckListeningAsync("dashboard", endPoint, cancellationToken);
    }

    private async Task<int> CountUsersAsync(DatabaseInspection database, CancellationToken cancellationToken)
    {
        if (database.Version < DashboardUsers.SinceVersion)
        {
            return 0;
        }

        using var limit = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        await using var users = new DashboardUsers(settings.Database!.ConnectionString);
        return await users.CountAsync(either.Token);
    }

    private async Task<string> CheckNatsAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        await using var nats = await JetStreamConnection.ConnectAsync(
            settings.Nats, cancellationToken: either.Token);
        _log = await new JetStreamFrameLog(nats, settings.Log).FindInstallationAsync(either.Token);
        var made = 0;
        for (var partition = 0; partition < settings.Ingress.Partitions; partition++)
        {
            foreach (var stream in Enum.GetValues<StreamKind>())
            {
                var name = StreamNames.Stream(partition, stream, _log?.Facts.Generation ?? 1);
                made += await nats.HasStreamAsync(name, either.Token) ? 1 : 0;
            }
        }

        var wanted = 2 * settings.Ingress.Partitions;
        return $"ok, nats-server {nats.ServerVersion} with JetStream, {made} of {wanted} streams made";
    }

    private async Task<string> CheckKafkaAsync()
    {
        var topics = new KafkaTopics(settings.Kafka! with { OperationTimeout = Patience }, time);
        // Asked first: where the library cannot be loaded, this says so.
        var described = await topics.DescribeAsync();
        return $"ok, librdkafka {KafkaTopics.LibraryVersion}, {described}";
    }

    private async Task<string> CheckAlertmanagerAsync(CancellationToken cancellationToken)
    {
        var versions = await AlertmanagerStatus.AskAsync(settings.Alertmanager!, cancellationToken);
        return $"ok, {string.Join(", ", versions.Select(v => $"Alertmanager {v}"))}";
    }

    private async Task<string> CheckDatabaseAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        _database = await DatabaseInspection.RunAsync(settings.Database!, either.Token);
        return _database.Version == 0 ? $"ok, {_database.Edition}, no tables yet"
            : $"ok, {_database.Edition}, tables of version {_database.Version}"
                + (_database.ReaderRoleProblem is { } problem ? $"; people cannot query them: {problem}" : "");
    }

    private async Task<string> CheckWidthsAsync(ConfiguredWidths file, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var added = await _database!.CompareAsync(settings.Database!, file, either.Token);
        return $"ok, {file.Entries.Count} entries, {added} of them new";
    }
}
