using Telemetry.Model.Identity;

namespace Telemetry.Model.Protocol;

/// <summary>
/// The names in NATS: the frame log's streams, their subjects and message ids, and the control channel's subjects.
/// </summary>
public static class StreamNames
{
    /// <summary>
    /// <c>LIVE_p</c> or <c>BACKLOG_p</c>; after a repartition <c>LIVE_Gn_p</c> with n the generation of the streams.
    /// </summary>
    public static string Stream(int partition, StreamKind kind, int generation = 1) =>
        $"{(kind == StreamKind.Live ? "LIVE" : "BACKLOG")}_{(generation == 1 ? "" : $"G{generation}_")}{partition}";

    /// <summary>
    /// The subjects that a stream takes: <c>tm.live.g.P.p.*</c> or <c>tm.backlog.g.P.p.*</c>, with the streams'
    /// generation and the number of partitions: what is published with another number of either reaches no stream.
    /// </summary>
    public static string Subjects(int generation, int partitions, int partition, StreamKind kind) =>
        $"tm.{Name(kind)}.{generation}.{partitions}.{partition}.*";

    /// <summary>What a stream takes once nothing may be appended any more: nobody publishes on it.</summary>
    public static string ClosedSubjects(int generation, int partitions, int partition, StreamKind kind) =>
        $"tm.closed.{Name(kind)}.{generation}.{partitions}.{partition}.*";

    /// <summary>The subject of one gateway's frames in a stream.</summary>
    public static string FrameSubject(
        int generation, int partitions, int partition, StreamKind kind, GatewayId gateway) =>
        $"tm.{Name(kind)}.{generation}.{partitions}.{partition}.{gateway.Value}";

    /// <summary>The gateway of a frame's subject: its last token. False when that is not a gateway id.</summary>
    public static bool TryGatewayOfSubject(string subject, out GatewayId gateway) =>
        GatewayId.TryParse(subject[(subject.LastIndexOf('.') + 1)..], out gateway);

    /// <summary><c>tm.hello.g.P.p</c>: requests to the partition's owner, not in the log.</summary>
    public static string HelloSubject(int generation, int partitions, int partition) =>
        $"tm.hello.{generation}.{partitions}.{partition}";

    /// <summary>
    /// <c>tm.presence.g.P</c>: which gateways are connected, from an ingress to the processors and dashboards.
    /// </summary>
    public static string PresenceSubject(int generation, int partitions) => $"tm.presence.{generation}.{partitions}";

    /// <summary>
    /// <c>tm.fleet.g.P.p</c>: what a commit changed, from the partition's owner to the dashboards. <paramref
    /// name="partition"/> may be <c>*</c>, for all of them.
    /// </summary>
    public static string FleetSubject(int generation, int partitions, string partition) =>
        $"tm.fleet.{generation}.{partitions}.{partition}";

    /// <summary><c>tm.down.GATEWAY</c>: from the owner to whichever ingress holds the session.</summary>
    public static string DownSubject(GatewayId gateway) => $"tm.down.{gateway.Value}";

    /// <summary>
    /// The message id of one attempt to send a frame: the log's deduplication knows it, and nothing else may repeat it.
    /// </summary>
    public static string MessageId(GatewayId gateway, FrameKey key, Attempt attempt) => $"{gateway}/{key}/{attempt}";

    /// <summary>The message id of one attempt to send a schema in a lane.</summary>
    public static string MessageId(GatewayId gateway, Schemas.SchemaId schema, Lane lane, Attempt attempt) =>
        $"{gateway}/{schema}/{lane.Name()}/{attempt}";

    private static string Name(StreamKind kind) => kind == StreamKind.Live ? "live" : "backlog";
}
