//! Layers with weights. Biases start at 0.

pub use super::settings::{Activation, BlockConfig, Init, Order, Weights};

use super::Place;
use crate::norm::{Mode, Norm, Pass, reparameterization::Reparameterization};
use candle_core::{Result, Tensor, Var};
use normbook_lab::seed::Purpose;
use normbook_ops::{block::BlockInput, conv2d::Windows, linear::linear, normalize::Epilogue, pool::max_pool2d};

/// A layer's linear map.
enum Map {
    /// Weight `[outputs, inputs]`.
    Linear,
    /// Weight `[outputs, inputs, kernel, kernel]`.
    Convolution(Windows),
}

/// A linear map with bias, a normalization (or none), an activation, dropout (or none).
pub struct Layer {
    map: Map,
    weight: Var,
    bias: Var,
    /// How the weight that multiplies comes from `weight`, if it is another.
    reparameterization: Option<Box<dyn Reparameterization>>,
    norm: Option<Box<dyn Norm>>,
    then: BlockConfig,
}

impl Layer {
    /// `[N, inputs] -> [N, outputs]`.
    pub fn linear(inputs: usize, outputs: usize, then: BlockConfig, init: &mut Init) -> Result<Self> {
        let deviation = init.weights.deviation(inputs, outputs);
        let weight = init.stream.normal_tensor((outputs, inputs), deviation, init.device)?;
        Self::new(Map::Linear, weight, then)
    }

    /// `[N, inputs, H, W] -> [N, outputs, H, W]` with a kernel of odd side.
    pub fn convolution(
        inputs: usize,
        outputs: usize,
        kernel: usize,
        then: BlockConfig,
        init: &mut Init,
    ) -> Result<Self> {
        let deviation = init.weights.deviation(inputs * kernel * kernel, outputs * kernel * kernel);
        let weight = init.stream.normal_tensor((outputs, inputs, kernel, kernel), deviation, init.device)?;
        Self::new(Map::Convolution(Windows { stride: 1, padding: kernel / 2 }), weight, then)
    }

    fn new(map: Map, weight: Tensor, then: BlockConfig) -> Result<Self> {
        let (outputs, dtype, device) = (weight.dim(0)?, weight.dtype(), weight.device());
        let bias = Var::zeros(outputs, dtype, device)?;
        let (norm, reparameterization) = (then.norm.build(outputs, dtype, device)?, then.norm.reparameterize(&weight)?);
        let activation = if then.norm.activates() { Activation::Identity } else { then.activation };
        let then = BlockConfig { activation, ..then };
        Ok(Self { map, weight: Var::from_tensor(&weight)?, bias, reparameterization, norm, then })
    }

    /// Map, normalization, activation, in the layer's order, dropout.
    pub fn forward(&self, input: &Tensor, pass: Pass) -> Result<Tensor> {
        self.forward_pooled(input, 1, pass)
    }

    /// The same with the maximum of each `window` × `window` pixels. Activations never fall, so that the maximum may be
    /// taken before a last activation: the same values and gradients, and fewer values to activate.
    pub fn forward_pooled(&self, input: &Tensor, window: usize, pass: Pass) -> Result<Tensor> {
        let BlockConfig { activation, order, .. } = self.then;
        let weight = &self.weight_on(input, pass)?;
        let output = match order {
            Order::NormFirst => {
                let then = Epilogue { window, relu: activation == Activation::Relu };
                let normalized = self.normalized(self.source(input, weight, &self.bias, &mut None)?, pass, then)?;
                if then.relu { normalized } else { activation.apply(&normalized)? }
            }
            Order::ActivationFirst => {
                let activated = activation.apply(&self.source(input, weight, &self.bias, &mut None)?.tensor()?)?;
                self.normalized(BlockInput::Tensor(&activated), pass, Epilogue { window, relu: false })?
            }
        };
        self.dropped(output, pass)
    }

    /// The same, step by step: `watch` sees each.
    pub fn forward_watched(
        &self,
        input: &Tensor,
        window: usize,
        pass: Pass,
        mut watch: impl FnMut(Place, &Tensor) -> Result<()>,
    ) -> Result<Tensor> {
        let weight = &self.weight_on(input, pass)?;
        let mapped = self.source(input, weight, &self.bias, &mut None)?.tensor()?;
        watch(Place::Mapped, &mapped)?;
        let normalize = |input: &Tensor| self.normalized(BlockInput::Tensor(input), pass, Epilogue::NOTHING);
        let mut activate = |input: &Tensor| {
            watch(Place::BeforeActivation, input)?;
            self.then.activation.apply(input)
        };
        let output = match self.then.order {
            Order::NormFirst => activate(&normalize(&mapped)?)?,
            Order::ActivationFirst => normalize(&activate(&mapped)?)?,
        };
        let output = self.dropped(if window > 1 { max_pool2d(&output, window)? } else { output }, pass)?;
        watch(Place::Output, &output)?;
        Ok(output)
    }

    /// What the linear map gives, or, of a convolution, would give.
    fn source<'a>(
        &self,
        input: &'a Tensor,
        weight: &'a Tensor,
        bias: &'a Tensor,
        mapped: &'a mut Option<Tensor>,
    ) -> Result<BlockInput<'a>> {
        Ok(match self.map {
            Map::Linear => BlockInput::Tensor(mapped.insert(linear(input, weight, bias)?)),
            Map::Convolution(windows) => BlockInput::Convolution { input, weight, bias, windows },
        })
    }

    fn normalized(&self, source: BlockInput, pass: Pass, then: Epilogue) -> Result<Tensor> {
        match &self.norm {
            Some(norm) => norm.forward_then(source, pass, then),
            None => then.apply(&source.tensor()?),
        }
    }

    fn dropped(&self, output: Tensor, pass: Pass) -> Result<Tensor> {
        let chance = self.then.dropout;
        if chance == 0.0 || pass.mode == Mode::Eval {
            return Ok(output);
        }
        let mut stream = pass.seed.stream(Purpose::Dropout, pass.step);
        let kept = (1.0 / (1.0 - chance)) as f32;
        let mask: Vec<f32> =
            (0..output.elem_count()).map(|_| if stream.uniform(0.0, 1.0) < chance { 0.0 } else { kept }).collect();
        let mask = Tensor::from_vec(mask, output.shape(), output.device())?;
        output * mask
    }

    /// The weight that multiplies `input` in a pass. Before a first training pass a reparameterization may choose where
    /// it begins.
    fn weight_on(&self, input: &Tensor, pass: Pass) -> Result<Tensor> {
        if pass.mode == Mode::Train
            && let Some(reparameterization) = &self.reparameterization
        {
            let map = |weight: &Tensor, bias: &Tensor| self.source(input, weight, bias, &mut None)?.tensor();
            reparameterization.before_training(&self.weight, &self.bias, &map, pass)?;
        }
        self.effective_weight(pass)
    }

    /// The weight that multiplies in a pass, as [`Layer::weight`] or what a reparameterization makes of it.
    pub fn effective_weight(&self, pass: Pass) -> Result<Tensor> {
        match &self.reparameterization {
            Some(reparameterization) => reparameterization.weight(&self.weight, pass),
            None => Ok(self.weight.as_tensor().clone()),
        }
    }

    /// What is trained: `[outputs, inputs]`, or `[outputs, inputs, kernel, kernel]`. The weight itself, unless there is
    /// a reparameterization: then its v or W, see [`Layer::effective_weight`].
    pub fn weight(&self) -> &Var {
        &self.weight
    }

    /// `[outputs]`.
    pub fn bias(&self) -> &Var {
        &self.bias
    }

    pub fn norm(&self) -> Option<&dyn Norm> {
        self.norm.as_deref()
    }

    /// Weight, bias, what else a reparameterization trains, and γ, β if there is a normalization that has them.
    pub fn parameters(&self) -> Vec<Var> {
        let of_weight = self.reparameterization.iter().flat_map(|of_weight| of_weight.parameters());
        let of_norm = self.norm.iter().flat_map(|norm| norm.parameters());
        [self.weight.clone(), self.bias.clone()].into_iter().chain(of_weight).chain(of_norm).collect()
    }

    /// All that moves in training: the parameters, and what norm and reparameterization keep besides.
    pub fn state(&self) -> Vec<Var> {
        let of_weight = self.reparameterization.iter().flat_map(|of_weight| of_weight.state());
        let of_norm = self.norm.iter().flat_map(|norm| norm.state());
        self.parameters().into_iter().chain(of_weight).chain(of_norm).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::norm::NormKind;
    use candle_core::{DType, Device};
    use normbook_lab::seed::{Seed, Stream};

    fn values(tensor: &Tensor) -> Vec<f32> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    fn init(stream: &mut Stream) -> Init<'_> {
        Init { weights: Weights::Glorot, stream, device: &Device::Cpu }
    }

    #[test]
    fn watching_changes_nothing() {
        let mut stream = Seed(0).stream(Purpose::Init, 0);
        let images = stream.normal_tensor((3, 2, 6, 6), 1.0, &Device::Cpu).unwrap();
        let names = ["none", "batch", "group:2", "layer", "frn", "dyt", "weight:mean", "spectral"];
        for norm in names.map(|name| name.parse::<NormKind>().unwrap()) {
            for activation in [Activation::Identity, Activation::Relu, Activation::Sigmoid] {
                for order in [Order::NormFirst, Order::ActivationFirst] {
                    let then = BlockConfig { order, dropout: 0.3, ..BlockConfig::new(norm, activation) };
                    let layer = Layer::convolution(2, 4, 3, then, &mut init(&mut stream)).unwrap();
                    let pass = Pass::probe(5, Seed(1));
                    let plain = layer.forward_pooled(&images, 2, pass).unwrap();
                    let mut seen = Vec::new();
                    let watch = |place, _: &Tensor| {
                        seen.push(place);
                        Ok(())
                    };
                    let watched = layer.forward_watched(&images, 2, pass, watch).unwrap();
                    assert_eq!(seen, [Place::Mapped, Place::BeforeActivation, Place::Output]);
                    for (one, other) in values(&plain).iter().zip(values(&watched)) {
                        assert!((one - other).abs() < 1e-5, "{then:?}: {one} {other}");
                    }
                }
            }
        }
    }

    /// After the first training pass weight normalization's units have mean 0 and deviation 1 over that batch, and the
    /// net that evaluates is the one that was trained.
    #[test]
    fn a_first_batch_sets_weight_normalization() {
        let mut stream = Seed(0).stream(Purpose::Init, 0);
        let images = (stream.normal_tensor((20, 2, 6, 6), 3.0, &Device::Cpu).unwrap() + 1.0).unwrap();
        let then = BlockConfig::new("weight".parse().unwrap(), Activation::Relu);
        let layer = Layer::convolution(2, 4, 3, then, &mut init(&mut stream)).unwrap();
        let drawn = values(&layer.effective_weight(Pass::EVAL).unwrap());
        for (drawn, weight) in drawn.iter().zip(values(layer.weight())) {
            assert!((drawn - weight).abs() < 1e-6);
        }
        layer.forward(&images, Pass::TRAIN).unwrap();
        let mut mapped = Vec::new();
        let watch = |place, tensor: &Tensor| {
            if place == Place::Mapped {
                mapped = tensor.transpose(0, 1)?.flatten_from(1)?.to_vec2::<f32>()?;
            }
            Ok(())
        };
        layer.forward_watched(&images, 1, Pass::EVAL, watch).unwrap();
        for unit in mapped {
            let mean = |power: i32| unit.iter().map(|z| z.powi(power)).sum::<f32>() / unit.len() as f32;
            assert!(mean(1).abs() < 1e-4 && (mean(2) - 1.0).abs() < 1e-3, "{} {}", mean(1), mean(2));
        }
    }

    /// With a norm that has an activation of its own, the net's is not applied: values below 0 come through.
    #[test]
    fn frn_takes_the_place_of_the_activation() {
        let mut stream = Seed(0).stream(Purpose::Init, 0);
        let images = stream.normal_tensor((3, 2, 6, 6), 1.0, &Device::Cpu).unwrap();
        let layer =
            Layer::convolution(2, 4, 3, BlockConfig::new(NormKind::Frn, Activation::Relu), &mut init(&mut stream))
                .unwrap();
        let threshold = layer.parameters().pop().unwrap();
        threshold.set(&(threshold.as_detached_tensor() - 0.5).unwrap()).unwrap();
        let lowest = values(&layer.forward(&images, Pass::TRAIN).unwrap()).into_iter().fold(f32::MAX, f32::min);
        assert_eq!(lowest, -0.5);
    }

    #[test]
    fn dropout_keeps_the_mean_and_rests_in_evaluation() {
        let mut stream = Seed(0).stream(Purpose::Init, 0);
        let then = BlockConfig { dropout: 0.25, ..BlockConfig::LINEAR };
        let layer = Layer::linear(1, 20_000, then, &mut init(&mut stream)).unwrap();
        layer.bias.set(&layer.bias.ones_like().unwrap()).unwrap();
        let input = Tensor::zeros((1, 1), DType::F32, &Device::Cpu).unwrap();
        let train = values(&layer.forward(&input, Pass::train(3, Seed(0))).unwrap());
        let mean = train.iter().sum::<f32>() / train.len() as f32;
        assert!((mean - 1.0).abs() < 0.02, "{mean}");
        assert_eq!(train, values(&layer.forward(&input, Pass::train(3, Seed(0))).unwrap()));
        assert_ne!(train, values(&layer.forward(&input, Pass::train(4, Seed(0))).unwrap()));
        assert!(values(&layer.forward(&input, Pass::EVAL).unwrap()).iter().all(|value| *value == 1.0));
    }

    #[test]
    fn a_deviation_is_that_of_the_weights() {
        let mut stream = Seed(0).stream(Purpose::Init, 0);
        let mut init = Init { weights: Weights::Deviation(0.01), stream: &mut stream, device: &Device::Cpu };
        let layer = Layer::linear(100, 100, BlockConfig::LINEAR, &mut init).unwrap();
        let square = values(layer.weight()).iter().map(|weight| weight * weight).sum::<f32>() / 1e4;
        assert!((square.sqrt() / 0.01 - 1.0).abs() < 0.03);
    }
}
