namespace Telemetry.Model.Wire;

/// <summary>What a message in the log is.</summary>
public enum FrameKind : byte
{
    /// <summary>A frame with readings, and perhaps dropped ones among what it covers.</summary>
    Readings = 0,

    /// <summary>A frame of which everything is dropped or refused: declarations only.</summary>
    Tombstone = 1,

    /// <summary>A schema: no sequence, settles nothing.</summary>
    Schema = 2,
}
