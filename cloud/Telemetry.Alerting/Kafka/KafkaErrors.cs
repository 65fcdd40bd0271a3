using Confluent.Kafka;
using Telemetry.Alerting.Relay;

namespace Telemetry.Alerting.Kafka;

/// <summary>Classifies Kafka's errors.</summary>
internal static class KafkaErrors
{
    /// <summary>True for exceptions of librdkafka; other exceptions are our own and pass through.</summary>
    public static bool IsKafkas(Exception e) =>
        e is KafkaException or InvalidOperationException or ArgumentException or DllNotFoundException
            or TypeInitializationException;

    /// <summary>Translates any error except that of an aborted transaction.</summary>
    public static AlertSinkException From(string what, Exception e)
    {
        var error = (e as KafkaException)?.Error;
        return new AlertSinkException(
            IsFenced(error) ? AlertSinkFault.Fenced : AlertSinkFault.Broken,
            $"{what}: {(error is null ? e.Message : $"{error.Code} {error.Reason}")}",
            e);
    }

    // librdkafka's own code, and those of the brokers that it may pass on.
    private static bool IsFenced(Error? error) => error is not null
        && error.Code is ErrorCode.Local_Fenced or ErrorCode.ProducerFenced or ErrorCode.InvalidProducerEpoch;
}
