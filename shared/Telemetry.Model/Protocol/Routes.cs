using Telemetry.Model.Identity;

namespace Telemetry.Model.Protocol;

/// <summary>The two streams of a partition.</summary>
public enum StreamKind : byte
{
    /// <summary>Critical and live frames.</summary>
    Live = 0,

    /// <summary>Backlog frames.</summary>
    Backlog = 1,
}

/// <summary>The names by which messages travel: MQTT topics, the log's subjects and streams, message ids.</summary>
public static class Routes
{
    /// <summary>The prefix of every MQTT topic of protocol version 1.</summary>
    public const string TopicPrefix = "tm/1/";

    /// <summary>The stream that a lane's frames go to.</summary>
    public static StreamKind Stream(this Lane lane) => lane == Lane.Backlog ? StreamKind.Backlog : StreamKind.Live;

    /// <summary><c>tm/1/GATEWAY/LANE</c>: frames and schemas go up, QoS 1.</summary>
    public static string FrameTopic(GatewayId gateway, Lane lane) => $"{TopicPrefix}{gateway.Value}/{lane.Name()}";

    /// <summary><c>tm/1/GATEWAY/hello</c>: hellos go up, QoS 1.</summary>
    public static string HelloTopic(GatewayId gateway) => $"{TopicPrefix}{gateway.Value}/hello";

    /// <summary>
    /// <c>tm/1/GATEWAY/down</c>: answers, stored-acks, receipts and schema requests come down, QoS 0.
    /// </summary>
    public static string DownTopic(GatewayId gateway) => $"{TopicPrefix}{gateway.Value}/down";

    /// <summary>
    /// <c>LIVE_p</c> or <c>BACKLOG_p</c>; after a repartition <c>LIVE_Gn_p</c> with n the generation of the streams.
    /// </summary>
    public static string StreamName(int partition, StreamKind kind, int generation = 1) =>
        $"{(kind == StreamKind.Live ? "LIVE" : "BACKLOG")}_{(generation == 1 ? "" : $"G{generation}_")}{partition}";

    /// <summary>
    /// The subjects that a stream takes: <c>tm.live.g.P.p.*</c> or <c>tm.backlog.g.P.p.*</c>, with the streams'
    /// generation and the number of partitions: what is published with another number of either reaches no stream.
    /// </summary>
    public static string StreamSubjects(int generation, int partitions, int partition, StreamKind kind) =>
        $"tm.{Name(kind)}.{generation}.{partitions}.{partition}.*";

    /// <summary>What a stream takes once nothing may be appended any more: nobody publishes on it.</summary>
    public static string ClosedSubjects(int generation, int partitions, int partition, StreamKind kind) =>
        $"tm.closed.{Name(kind)}.{generation}.{partitions}.{partition}.*";

    /// <summary>The subject of one gateway's frames in a stream.</summary>
    public static string FrameSubject(
        int generation, int partitions, int partition, StreamKind kind, GatewayId gateway) =>
        $"tm.{Name(kind)}.{generation}.{partitions}.{partition}.{gateway.Value}";

    /// <summary>The gateway of a frame's subject: its last token. False when that is no gateway id.</summary>
    public static bool TryGatewayOfSubject(string subject, out GatewayId gateway) =>
        GatewayId.TryParse(subject[(subject.LastIndexOf('.') + 1)..], out gateway);

    /// <summary><c>tm.hello.g.P.p</c>: requests to the partition's owner, not in the log.</summary>
    public static string HelloSubject(int generation, int partitions, int partition) =>
        $"tm.hello.{generation}.{partitions}.{partition}";

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
