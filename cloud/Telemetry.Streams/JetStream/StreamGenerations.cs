using NATS.Client.JetStream.Models;
using Telemetry.Model.Installations;
using Telemetry.Model.Protocol;

namespace Telemetry.Streams.JetStream;

/// <summary>
/// The steps of a repartition on the log: closes the streams of one generation, makes those of the next, and records
/// which generation is in use. Every step may be repeated. Errors are <see cref="FrameLogException"/>.
/// </summary>
public sealed class StreamGenerations(JetStreamConnection connection, JetStreamFrameLogOptions options)
{
    /// <summary>The room of a closed stream beyond its content; the rest is given back to the server.</summary>
    private const long ClosedRoomBytes = 64 * 1024;

    private readonly StreamMarker _marker = new(connection);
    private readonly StreamMaker _maker = new(connection, options);

    /// <summary>The installation that the log records now.</summary>
    public ValueTask<StreamInstallation?> FindAsync(CancellationToken cancellationToken) =>
        connection.CallAsync("read the log's description", _marker.FindAsync, cancellationToken);

    /// <summary>Records which generation is in use, or that a repartition is under way.</summary>
    public async Task TellAsync(StreamInstallation told, CancellationToken cancellationToken) =>
        await connection.CallAsync(
            "write the log's description",
            async token =>
            {
                if (await _marker.FindAsync(token) is null)
                {
                    await _marker.EnsureAsync(told.Facts, options.Replicas, token);
                }

                await _marker.SetAsync(told, options.Replicas, token);
                return true;
            },
            cancellationToken,
            answers: 6);

    /// <summary>
    /// Removes the subjects from the streams: from then on nobody can append, not even an ingress with the old facts. A
    /// missing stream is made, closed and empty, so that its owner has an end to reach.
    /// </summary>
    public Task CloseAsync(InstallationFacts facts, CancellationToken cancellationToken) => EachAsync(
        "close", facts, async (wanted, found) =>
        {
            var subjects = Closed(wanted.Name!, facts);
            if (found is null)
            {
                await connection.Context.CreateStreamAsync(wanted with { Subjects = [subjects] }, cancellationToken);
            }
            else if (found.Config.Subjects is not { Count: 1 } only || only.First() != subjects)
            {
                await connection.Context.UpdateStreamAsync(
                    found.Config with { Subjects = [subjects] }, cancellationToken);
            }
        },
        cancellationToken);

    /// <summary>Gives the streams their subjects and limits back.</summary>
    public Task OpenAsync(InstallationFacts facts, CancellationToken cancellationToken) => EachAsync(
        "open", facts, async (wanted, found) =>
        {
            if (found is null)
            {
                await connection.Context.CreateStreamAsync(wanted, cancellationToken);
            }
            else
            {
                await connection.Context.UpdateStreamAsync(wanted, cancellationToken);
            }
        },
        cancellationToken);

    /// <summary>
    /// Gives back to the server the room that closed streams reserve and do not need; the next generation needs it.
    /// </summary>
    public Task ShrinkAsync(InstallationFacts facts, CancellationToken cancellationToken) => EachAsync(
        "shrink", facts, async (_, found) =>
        {
            if (found is not null && (found.Config.MaxBytes <= 0
                || found.Config.MaxBytes > found.State.Bytes + (2 * ClosedRoomBytes)))
            {
                await connection.Context.UpdateStreamAsync(
                    found.Config with { MaxBytes = found.State.Bytes + ClosedRoomBytes }, cancellationToken);
            }
        },
        cancellationToken);

    /// <summary>
    /// Makes the streams of a generation. Empty streams that an earlier attempt with another number of partitions left
    /// are made again; streams that hold messages are refused.
    /// </summary>
    public Task MakeAsync(InstallationFacts facts, CancellationToken cancellationToken) => EachAsync(
        "make", facts, async (wanted, found) =>
        {
            if (found is { State.LastSeq: 0 } && found.Config.Description != wanted.Description)
            {
                await connection.Context.DeleteStreamAsync(wanted.Name!, cancellationToken);
                found = null;
            }

            if (found is null)
            {
                await connection.Context.CreateStreamAsync(wanted, cancellationToken);
            }
            else
            {
                StreamMaker.Check(found, facts);
            }
        },
        cancellationToken);

    /// <summary>The facts of a generation's streams; null when the streams do not exist any more.</summary>
    public ValueTask<InstallationFacts?> FactsOfAsync(int generation, CancellationToken cancellationToken) =>
        connection.CallAsync(
            "read a stream's description",
            async token =>
            {
                var info = await connection.FindStreamAsync(
                    StreamNames.Stream(0, StreamKind.Live, generation), token);
                return InstallationFacts.TryParse(info?.Config.Description, out var facts) ? facts : null;
            },
            cancellationToken);

    /// <summary>The ends of a generation's streams; nothing is appended to them any more.</summary>
    public async Task<IReadOnlyDictionary<(int Partition, StreamKind Kind), StreamState>> EndsAsync(
        InstallationFacts facts, CancellationToken cancellationToken)
    {
        var ends = new Dictionary<(int, StreamKind), StreamState>();
        var log = new JetStreamFrameLog(connection, options, facts);
        for (var partition = 0; partition < facts.Partitions; partition++)
        {
            foreach (var kind in Enum.GetValues<StreamKind>())
            {
                ends[(partition, kind)] = await log.StateAsync(partition, kind, cancellationToken)
                    ?? throw new FrameLogException($"{StreamNames.Stream(partition, kind, facts.Generation)} is gone");
            }
        }

        return ends;
    }

    private async Task EachAsync(
        string what, InstallationFacts facts, Func<StreamConfig, StreamInfo?, Task> step,
        CancellationToken cancellationToken)
    {
        for (var partition = 0; partition < facts.Partitions; partition++)
        {
            foreach (var kind in Enum.GetValues<StreamKind>())
            {
                var wanted = _maker.Configuration(facts, partition, kind);
                await connection.CallAsync(
                    $"{what} {wanted.Name}",
                    async token =>
                    {
                        await step(wanted, await connection.FindStreamAsync(wanted.Name!, token));
                        return true;
                    },
                    cancellationToken,
                    answers: 3);
            }
        }
    }

    private static string Closed(string stream, InstallationFacts facts) => StreamNames.ClosedSubjects(
        facts.Generation, facts.Partitions, int.Parse(
            stream.AsSpan(stream.LastIndexOf('_') + 1), System.Globalization.CultureInfo.InvariantCulture),
        stream.StartsWith("LIVE", StringComparison.Ordinal) ? StreamKind.Live : StreamKind.Backlog);
}
