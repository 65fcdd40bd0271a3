using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;

namespace Telemetry.Storage;

/// <summary>Identifies a message that waits for a schema; the hash is XxHash64 over its content.</summary>
public readonly record struct WaitingId(GatewayId Gateway, SchemaId Needs, ulong Hash);

/// <summary>A message of the log, unchanged, that was read before the schema that it needs.</summary>
/// <param name="Id">Its identity.</param>
/// <param name="StoredAtNanos">When the log stored it.</param>
/// <param name="Bytes">The log's bytes.</param>
public sealed record WaitingRow(WaitingId Id, long StoredAtNanos, ReadOnlyMemory<byte> Bytes);
