using Telemetry.Model.Schemas;
using Telemetry.Processing.Alerts.Evaluation;

namespace Telemetry.Processing.Alerts.Corrections;

/// <summary>Adds corrections to what the current transaction publishes.</summary>
internal static class CorrectionPublication
{
    /// <summary>
    /// Adds a correction of a rule on a series, which was found when the watermark had come to
    /// <paramref name="watermark"/>.
    /// </summary>
    public static void Correct(
        this AlertEvaluator evaluator, AlertCorrection correction, AlertWatch watch, SeriesDefinition series,
        long watermark) => evaluator.Correct(
            correction.Row,
            correction.Kind is not { } kind ? null : AlertTransitions.OfCorrection(
                correction.Row, watch.Rule, series, kind, correction.TimeMicros, correction.Value, correction.Again,
                watermark));
}
