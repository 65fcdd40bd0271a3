using Telemetry.Diagnostics.Failures;
using Telemetry.Model.Wire;
using Telemetry.Storage;
using Telemetry.Storage.Fleet;
using Telemetry.Streams;
using Telemetry.Streams.Fleet;

namespace Telemetry.Processing.Presence;

/// <summary>
/// Writes to the database what ingresses say of who is connected. All recorders of an installation share the reports:
/// each reaches one of them. The rule of <see cref="IPresenceTable"/> makes their order unimportant. What cannot be
/// written waits; what cannot wait is said again by its ingress within a minute.
/// </summary>
public sealed class PresenceRecorder(
    IFleetChannel channel, IPresenceTable table, ReportedFailure failure, TimeProvider time)
{
    /// <summary>The most gateways that wait to be written; others are left out until they are said again.</summary>
    public const int WaitingMax = 100_000;

    /// <summary>The most runs of ingresses that wait to be written.</summary>
    public const int RunsMax = 1000;

    private static readonly TimeSpan WriteEvery = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private Dictionary<string, PresenceRow> _rows = [];
    private Dictionary<ulong, IngressRunRow> _runs = [];

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        IAsyncDisposable? listening = null;
        try
        {
            while (true)
            {
                listening ??= await ListenAsync(cancellationToken);
                await WriteAsync(cancellationToken);
                await Task.Delay(WriteEvery, time, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The processor stops.
        }
        finally
        {
            if (listening is not null)
            {
                await listening.DisposeAsync();
            }
        }
    }

    /// <summary>Takes a report; one that cannot be read is not of one of our ingresses.</summary>
    public void Take(ReadOnlyMemory<byte> bytes)
    {
        PresenceReport report;
        try
        {
            report = PresenceReport.Read(bytes.Span);
        }
        catch (WireFormatException)
        {
            return;
        }

        lock (_gate)
        {
            if (_runs.Count < RunsMax)
            {
                _runs[report.Run] = new IngressRunRow(report.Run, report.Ingress);
            }

            foreach (var gateway in report.Gateways)
            {
                Add(new PresenceRow(
                    gateway.Gateway.Value, report.Run, gateway.Session, gateway.Connected, gateway.SinceMicros,
                    gateway.Version, gateway.ClockOffsetMicros, gateway.ClockSynchronised));
            }
        }
    }

    /// <summary>Writes what was said since the last time.</summary>
    public async Task WriteAsync(CancellationToken cancellationToken)
    {
        Dictionary<string, PresenceRow> rows;
        Dictionary<ulong, IngressRunRow> runs;
        lock (_gate)
        {
            (rows, _rows) = (_rows, []);
            (runs, _runs) = (_runs, []);
        }

        if (runs.Count == 0)
        {
            return;
        }

        try
        {
            await table.WriteAsync([.. runs.Values], [.. rows.Values], cancellationToken);
            failure.Worked();
        }
        catch (StoreException e)
        {
            failure.Failed(e.Message);
            lock (_gate)
            {
                foreach (var run in runs.Values)
                {
                    _runs.TryAdd(run.Run, run);
                }

                foreach (var row in rows.Values)
                {
                    Add(row);
                }
            }
        }
    }

    private void Add(PresenceRow row)
    {
        if (!_rows.TryGetValue(row.Gateway, out var known))
        {
            if (_rows.Count < WaitingMax)
            {
                _rows.Add(row.Gateway, row);
            }
        }
        else if (Replaces(row, known))
        {
            _rows[row.Gateway] = row;
        }
    }

    // As the table decides, among those that wait.
    private static bool Replaces(PresenceRow row, PresenceRow known) =>
        row.Run == known.Run
            ? row.Session > known.Session || (row.Session == known.Session && row.SinceMicros >= known.SinceMicros)
            : row.Connected ? !known.Connected || row.SinceMicros >= known.SinceMicros
            : !known.Connected && row.SinceMicros > known.SinceMicros;

    private async Task<IAsyncDisposable?> ListenAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await channel.ListenPresenceAsync(shared: true, Take, cancellationToken);
        }
        catch (FrameLogException)
        {
            // The process reports that NATS is out of reach.
            return null;
        }
    }
}
