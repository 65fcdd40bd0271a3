using System.Runtime.CompilerServices;

namespace Telemetry.Model.Frames.Columns;

/// <summary>
/// The meaning of a single number. Numbers of one context usually have about the same length, so each encodes only the
/// difference of its length from that of the previous one.
/// </summary>
internal enum NumberContext
{
    /// <summary>The first time of a group, minus that of the previous group.</summary>
    Time,

    /// <summary>The parameter of a column's prediction.</summary>
    Step,

    /// <summary>The bits of a column's greatest residual.</summary>
    Width,

    /// <summary>A number of items.</summary>
    Count,

    /// <summary>The first integer of a column of integers.</summary>
    FirstInteger,

    /// <summary>The first integer of a column of decimals.</summary>
    FirstDecimal,

    /// <summary>The first integer of a column of doubles' bits.</summary>
    FirstBits,

    /// <summary>The number of contexts.</summary>
    End,
}

/// <summary>The last value of each context, all 0 at the start of the columns.</summary>
[InlineArray((int)NumberContext.End)]
internal struct NumberContexts
{
    private int _first;
}
