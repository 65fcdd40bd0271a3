using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;

namespace Telemetry.Storage;

/// <summary>One row of the frame register: a settled frame.</summary>
/// <param name="Gateway">The frame's gateway.</param>
/// <param name="Key">Epoch, lane, range.</param>
/// <param name="Stored">Readings stored.</param>
/// <param name="Rejected">Readings rejected.</param>
/// <param name="Dropped">Readings declared as dropped.</param>
/// <param name="TimeFirst">The least event time; 0 when the frame covers nothing.</param>
/// <param name="TimeLast">The greatest event time.</param>
/// <param name="Checksum">The frame's checksum.</param>
/// <param name="HashSum">Sum of the hashes of the stored readings.</param>
public sealed record FrameRegisterRow(
    GatewayId Gateway, FrameKey Key, int Stored, int Rejected, int Dropped,
    long TimeFirst, long TimeLast, ulong Checksum, ulong HashSum);

/// <summary>A declaration of dropped readings, as a frame carried it.</summary>
public sealed record DropLedgerRow(
    GatewayId Gateway, FrameKey Frame, SeriesIdentity Series, Declaration Declaration);
