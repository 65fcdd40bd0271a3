using System.Runtime.CompilerServices;

namespace Telemetry.Model.Frames.Columns;

/// <summary>
/// What a single number is about. Numbers of one context tend to be about equally long, so each says only how its
/// length differs from that of the one before.
/// </summary>
internal enum NumberContext
{
    /// <summary>The first time of a group, less that of the group before.</summary>
    Time,

    /// <summary>The parameter of a column's prediction.</summary>
    Step,

    /// <summary>The bits of a column's greatest residual.</summary>
    Width,

    /// <summary>How many of something there are.</summary>
    Count,

    /// <summary>The first integer of a column of integers.</summary>
    FirstInteger,

    /// <summary>The first integer of a column of decimals.</summary>
    FirstDecimal,

    /// <summary>The first integer of a column of doubles' bits.</summary>
    FirstBits,

    /// <summary>How many contexts there are.</summary>
    End,
}

/// <summary>The last value of each context, all 0 at the start of the columns.</summary>
[InlineArray((int)NumberContext.End)]
internal struct NumberContexts
{
    private int _first;
}
