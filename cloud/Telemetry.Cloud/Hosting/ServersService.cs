using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Telemetry.Cloud.Configuration;
using Telemetry.Diagnostics.Failures;
using Telemetry.Storage;
using Telemetry.Storage.Postgres;
using Telemetry.Streams.JetStream;

namespace Telemetry.Cloud.Hosting;

/// <summary>
/// The servers that the roles work on: the log, the control channel and the database. Its start waits for what is not
/// there yet, so that the roles that start after it find all of it; its stop closes them.
/// </summary>
internal sealed class ServersService(RoleContext context) : IHostedService
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly ILogger _logger = context.ProcessLog;
    private JetStreamConnection? _connection;

    // From when on the connection's end is our own doing.
    private volatile bool _closing;

    /// <summary>Whether NATS can be reached.</summary>
    public ReportedFailure NatsReach { get; } = new(
        "NATS cannot be reached", "NATS was reached again", context.Time, context.ProcessLog);

    /// <summary>The database; null where no role needs it.</summary>
    public PostgresStore? Store { get; private set; }

    /// <summary>The frame log; null in a relay alone, which has no NATS.</summary>
    public JetStreamFrameLog? Log { get; private set; }

    /// <summary>The control channel; null in a relay alone.</summary>
    public NatsControlChannel? ControlChannel { get; private set; }

    /// <summary>Who is connected and what commits changed, for people; null in a relay alone.</summary>
    public NatsFleetChannel? FleetChannel { get; private set; }

    /// <summary>
    /// Throws <see cref="StoreException"/> and <see cref="Model.Installations.InstallationException"/> where waiting
    /// would be in vain.
    /// </summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        context.Health.Add("nats", () => NatsReach.Problem);
        if (context.Settings.Roles != CloudRoles.Relay)
        {
            context.Health.Add("start", () => "waiting for NATS");
            _connection = await ConnectAsync(cancellationToken);
        }

        context.Health.Add("start", () => "waiting for the database");
        Store = await OpenStoreAsync(cancellationToken);
        if (_connection is not null)
        {
            context.Health.Add("start", () => "looking at the log's streams");
            var (log, facts) = await new InstallationEntry(
                context.Settings.Ingress.Partitions, context.Health, context.Time, context.Random, _logger)
                .EnterAsync(
                    // Only an owner makes streams.
                    context.Settings.Roles.HasFlag(CloudRoles.Processor) ? Store : null,
                    new JetStreamFrameLog(_connection, context.Settings.Log), cancellationToken);
            (Log, ControlChannel) = (log, new NatsControlChannel(_connection, facts));
            FleetChannel = new NatsFleetChannel(_connection, facts);
        }
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (Store is not null)
        {
            await Store.DisposeAsync();
        }

        _closing = true;
        if (_connection is not null)
        {
            await _connection.DisposeAsync();
        }
    }

    private async Task<JetStreamConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        JetStreamConnection? nats = null;
        nats = await JetStreamConnection.ConnectWhenReachedAsync(
            context.Settings.Nats with { TimeProvider = context.Time }, change => Note(nats, change),
            cancellationToken);
        _ = SayReachedAsync(nats);
        OperationsLog.NatsConnected(_logger, nats.ServerVersion);
        nats.Counters.Publish(context.Meter, () => nats.IsConnected);
        return nats;
    }

    private void Note(JetStreamConnection? nats, LinkChange change)
    {
        switch (change.Kind)
        {
            case LinkChangeKind.Connected:
                if (nats is not null)
                {
                    _ = SayReachedAsync(nats);
                }

                break;
            case LinkChangeKind.Complained:
                OperationsLog.NatsComplained(_logger, change.Detail);
                break;
            case LinkChangeKind.Lost when _closing:
                break;
            default:
                NatsReach.Failed(change.Detail);
                break;
        }
    }

    // Once the connection has held for a while: a little longer than must be, as timers come some ms early, nobody asks
    // again, and a link may be back within a millisecond.
    private async Task SayReachedAsync(JetStreamConnection nats)
    {
        await Task.Delay(ReportedFailure.Steady + TimeSpan.FromMilliseconds(100), context.Time);
        if (nats.IsConnected)
        {
            NatsReach.Worked();
        }
    }

    private async Task<PostgresStore?> OpenStoreAsync(CancellationToken cancellationToken)
    {
        var opening = new ReportedFailure(
            "The database's tables cannot be used", "The database's tables can be used", context.Time, _logger,
            context.Database);
        context.Health.Add("tables", () => opening.Problem);
        if (!RoleContext.NeedDatabase(context.Settings.Roles))
        {
            return null;
        }

        while (true)
        {
            try
            {
                var store = await PostgresStore.OpenAsync(context.Settings.Database!, context.Time, cancellationToken);
                opening.Worked();
                OperationsLog.DatabaseOpened(_logger, store.Edition.ToString());
                if (store.ReaderRoleProblem is { } problem)
                {
                    OperationsLog.ReaderRoleMissing(_logger, problem);
                }

                context.Health.Add("tables", () => null);
                return store;
            }
            catch (StoreException e) when (e.InnerException is not null)
            {
                // Without an inner one it is our own refusal (another version): that does not mend itself.
                opening.Failed(e.Message);
                await Task.Delay(RetryAfter, context.Time, cancellationToken);
            }
        }
    }
}
