using Telemetry.Streams;
using Telemetry.Streams.Fleet;

namespace Telemetry.Ingress.Presence;

/// <summary>
/// Says at intervals that this ingress is alive and what changed on its <see cref="PresenceBoard"/>. While NATS is out
/// of reach it says nothing; what is on the board is said afterwards.
/// </summary>
/// <param name="board">What there is to say.</param>
/// <param name="channel">To whom.</param>
/// <param name="options">How often.</param>
/// <param name="ingress">The name of this process.</param>
/// <param name="run">Random for each run.</param>
/// <param name="time">The clock.</param>
public sealed class PresenceReporter(
    PresenceBoard board, IFleetChannel channel, PresenceOptions options, string ingress, ulong run, TimeProvider time)
{
    private long? _saidAt;

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await SayAsync(all: false, cancellationToken);
                await Task.Delay(options.LookEvery, time, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The ingress stops; what is left is said by SayAsync.
        }
    }

    /// <summary>Says what is due now; with <paramref name="all"/>, everything that changed.</summary>
    public async Task SayAsync(bool all, CancellationToken cancellationToken)
    {
        for (var report = 0; report < options.ReportsMax; report++)
        {
            var taken = board.Take(PresenceReport.GatewaysMax, all);
            if (taken.Count == 0 && _saidAt is { } at && time.GetElapsedTime(at) < options.AliveEvery)
            {
                return;
            }

            var micros = (time.GetUtcNow().Ticks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
            try
            {
                await channel.ReportPresenceAsync(
                    new PresenceReport(ingress, run, micros, taken).ToBytes(), cancellationToken);
                _saidAt = time.GetTimestamp();
            }
            catch (FrameLogException)
            {
                // The process reports that NATS is out of reach.
                board.Unsaid(taken);
                return;
            }
        }
    }
}
