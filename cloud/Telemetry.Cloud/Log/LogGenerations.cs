using Telemetry.Cloud.Installations;
using Telemetry.Model;
using Telemetry.Nats;

namespace Telemetry.Cloud.Log;

/// <summary>
/// What a repartition does to the log: it closes the streams of one generation, makes those of the next, and says
/// which are in use. Every step may be done again. Errors are <see cref="LogException"/>.
/// </summary>
internal sealed class LogGenerations(JetStreamContext jetStream, NatsLogOptions options)
{
    /// <summary>Room that a closed stream keeps beyond what it holds; the rest is given back to the server.</summary>
    private const long ClosedRoomBytes = 64 * 1024;

    private readonly LogMarker _marker = new(jetStream);
    private readonly StreamMaker _maker = new(jetStream, options);

    /// <summary>What the log says now.</summary>
    public ValueTask<LogInstallation?> FindAsync(CancellationToken cancellationToken) =>
        Translated("read the log's description", async () => await _marker.FindAsync(cancellationToken));

    /// <summary>Says which generation is in use, or that a repartition is under way.</summary>
    public async Task TellAsync(LogInstallation told, CancellationToken cancellationToken) =>
        await Translated("write the log's description", async () =>
        {
            if (await _marker.FindAsync(cancellationToken) is null)
            {
                await _marker.EnsureAsync(told.Facts, options.Replicas, cancellationToken);
            }

            await _marker.SetAsync(told, options.Replicas, cancellationToken);
            return true;
        });

    /// <summary>
    /// Takes their subjects from the streams: from then on nobody can append, whatever an ingress believes. A stream
    /// that is missing is made, closed and empty, so that its owner has an end to reach.
    /// </summary>
    public Task CloseAsync(InstallationFacts facts, CancellationToken cancellationToken) => EachAsync(
        "close", facts, async (wanted, found) =>
        {
            var subjects = Closed(wanted.Name, facts);
            if (found is null)
            {
                await jetStream.CreateStreamAsync(wanted with { Subjects = [subjects] }, cancellationToken);
            }
            else if (found.Configuration.Subjects is not [{ } only] || only != subjects)
            {
                await jetStream.UpdateStreamAsync(
                    found.Configuration with { Subjects = [subjects] }, cancellationToken);
            }
        },
        cancellationToken);

    /// <summary>Gives the streams their subjects and limits back.</summary>
    public Task OpenAsync(InstallationFacts facts, CancellationToken cancellationToken) => EachAsync(
        "open", facts, async (wanted, found) =>
        {
            if (found is null)
            {
                await jetStream.CreateStreamAsync(wanted, cancellationToken);
            }
            else
            {
                await jetStream.UpdateStreamAsync(wanted, cancellationToken);
            }
        },
        cancellationToken);

    /// <summary>
    /// Gives the room that closed streams reserve and do not need back to the server, which the next generation needs.
    /// </summary>
    public Task ShrinkAsync(InstallationFacts facts, CancellationToken cancellationToken) => EachAsync(
        "shrink", facts, async (_, found) =>
        {
            if (found is not null && (ulong)(found.Configuration.MaxBytes ?? long.MaxValue)
                > found.Bytes + (2 * ClosedRoomBytes))
            {
                await jetStream.UpdateStreamAsync(
                    found.Configuration with { MaxBytes = (long)found.Bytes + ClosedRoomBytes }, cancellationToken);
            }
        },
        cancellationToken);

    /// <summary>
    /// Makes the streams of a generation. Those that an earlier try with another number of partitions left empty are
    /// made anew; ones that hold messages are refused.
    /// </summary>
    public Task MakeAsync(InstallationFacts facts, CancellationToken cancellationToken) => EachAsync(
        "make", facts, async (wanted, found) =>
        {
            if (found is { LastSequence: 0 } && found.Configuration.Description != wanted.Description)
            {
                await jetStream.DeleteStreamAsync(wanted.Name, cancellationToken);
                found = null;
            }

            if (found is null)
            {
                await jetStream.CreateStreamAsync(wanted, cancellationToken);
            }
            else
            {
                StreamMaker.Check(found, facts);
            }
        },
        cancellationToken);

    /// <summary>The facts of a generation's streams; null when they are gone.</summary>
    public ValueTask<InstallationFacts?> FactsOfAsync(int generation, CancellationToken cancellationToken) =>
        Translated("read a stream's description", async () =>
        {
            var info = await jetStream.FindStreamAsync(
                Routes.StreamName(0, StreamKind.Live, generation), cancellationToken);
            return InstallationFacts.TryParse(info?.Configuration.Description, out var facts) ? facts : null;
        });

    /// <summary>Where a generation's streams end; nothing is appended to them any more.</summary>
    public async Task<IReadOnlyDictionary<(int Partition, StreamKind Kind), StreamState>> EndsAsync(
        InstallationFacts facts, CancellationToken cancellationToken)
    {
        var ends = new Dictionary<(int, StreamKind), StreamState>();
        var log = new NatsLog(jetStream, options, facts);
        for (var partition = 0; partition < facts.Partitions; partition++)
        {
            foreach (var kind in Enum.GetValues<StreamKind>())
            {
                ends[(partition, kind)] = await log.StateAsync(partition, kind, cancellationToken)
                    ?? throw new LogException($"{Routes.StreamName(partition, kind, facts.Generation)} is gone");
            }
        }

        return ends;
    }

    private async Task EachAsync(
        string what, InstallationFacts facts, Func<StreamConfiguration, StreamInfo?, Task> step,
        CancellationToken cancellationToken)
    {
        for (var partition = 0; partition < facts.Partitions; partition++)
        {
            foreach (var kind in Enum.GetValues<StreamKind>())
            {
                var wanted = _maker.Configuration(facts, partition, kind);
                await Translated($"{what} {wanted.Name}", async () =>
                {
                    await step(wanted, await jetStream.FindStreamAsync(wanted.Name, cancellationToken));
                    return true;
                });
            }
        }
    }

    private static string Closed(string stream, InstallationFacts facts) => Routes.ClosedSubjects(
        facts.Generation, facts.Partitions, int.Parse(
            stream.AsSpan(stream.LastIndexOf('_') + 1), System.Globalization.CultureInfo.InvariantCulture),
        stream.StartsWith("LIVE", StringComparison.Ordinal) ? StreamKind.Live : StreamKind.Backlog);

    private static async ValueTask<T> Translated<T>(string what, Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (Exception e) when (e is NatsException or ObjectDisposedException)
        {
            throw new LogException($"{what}: {e.Message}", inner: e);
        }
    }
}
