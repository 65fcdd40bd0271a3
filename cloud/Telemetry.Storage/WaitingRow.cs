using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;

namespace Telemetry.Storage;

/// <summary>Names a message that waits for a schema; the hash is XxHash64 over what it holds.</summary>
public readonly record struct WaitingId(GatewayId Gateway, SchemaId Needs, ulong Hash);

/// <summary>A message of the log that was read before the schema that it needs, as it came.</summary>
/// <param name="Id">Its name.</param>
/// <param name="StoredAtNanos">When the log stored it.</param>
/// <param name="Bytes">The log's bytes.</param>
public sealed record WaitingRow(WaitingId Id, long StoredAtNanos, ReadOnlyMemory<byte> Bytes);
