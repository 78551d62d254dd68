import { Counter, type CounterConfiguration, Gauge, type Registry } from 'prom-client'

export type Samples = [labels: Record<string, string>, value: number][]

/** One figure that is kept where the work is done, and read when somebody asks. */
interface Figure {
  name: string
  help: string
  labelNames?: string[]
  /** All at one moment: what is read of one object in one scrape fits together. */
  read(): Samples | number
}

/** A figure that only grows. */
export function addCounter(registry: Registry, { read, ...rest }: Figure): void {
  const options: CounterConfiguration<string> = {
    ...rest,
    registers: [registry],
    collect() {
      this.reset()
      for (const [labels, value] of samplesOf(read())) this.inc(labels, value)
    }
  }
  new Counter(options)
}

/** A figure that goes up and down. */
export function addGauge(registry: Registry, { read, ...rest }: Figure): void {
  new Gauge({
    ...rest,
    registers: [registry],
    collect() {
      this.reset()
      for (const [labels, value] of samplesOf(read())) this.set(labels, value)
    }
  })
}

function samplesOf(read: Samples | number): Samples {
  return typeof read === 'number' ? [[{}, read]] : read
}
